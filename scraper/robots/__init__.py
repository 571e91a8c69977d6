"""What a host allows: robots.txt, its rules, the tags of answers, and the delay between requests."""
