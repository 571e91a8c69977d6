<?php
/* php seed.php ROOT: empties a WordPress site (its folder ROOT) and fills it with forty posts of our own, in German and
   Spanish, with comments. Fixed dates, no chance: each run gives the same blog. */
if ($argc < 2) exit(2);
require $argv[1] . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/user.php';
global $wpdb;
wp_set_current_user(1);
kses_remove_filters();
foreach ($wpdb->get_col("SELECT ID FROM $wpdb->posts") as $id) wp_delete_post($id, true);
foreach ($wpdb->get_col("SELECT comment_ID FROM $wpdb->comments") as $id) wp_delete_comment($id, true);
foreach (get_users(['exclude' => [1]]) as $user) wp_delete_user($user->ID);
foreach (get_terms(['taxonomy' => ['category', 'post_tag'], 'hide_empty' => false]) as $term)
    if ($term->term_id != get_option('default_category')) wp_delete_term($term->term_id, $term->taxonomy);
delete_option('sticky_posts');
update_option('timezone_string', 'Europe/Berlin');
update_option('blogname', 'Praxis am Mühlbach');
update_option('comment_moderation', 0);
update_option('comment_previously_approved', 0);

$subjects = ['Die Hausärztin', 'Unsere Praxis', 'Ein kurzer Spaziergang', 'Der Blutdruck', 'La doctora', 'El sueño', 'Una taza de caldo', 'La vacuna', 'Das Wartezimmer', 'El descanso'];
$verbs = ['hilft', 'beruhigt', 'verändert', 'überrascht', 'mejora', 'acompaña', 'cuida', 'stärkt', 'protege', 'braucht'];
$objects = ['den Rücken nach der Arbeit', 'kleine Kinder im Winter', 'el corazón cada mañana', 'die Nerven vor der Prüfung', 'a toda la familia', 'Menschen ab sechzig', 'la piel seca', 'den Schlaf der Eltern', 'las articulaciones', 'unser Team am Montag'];
$ends = ['sagt die Leitlinie „Bewegung“', 'wie wir seit Jahren sehen', 'aunque llueva', 'ohne Termin & ohne Eile', 'según nuestra experiencia', 'auch bei 38,5 °C', 'si usted lo desea', 'mehr als jede App'];
$at = 0;
$sentence = function () use (&$at, $subjects, $verbs, $objects, $ends) {
    $n = $at++;
    return $subjects[$n % 10] . ' ' . $verbs[($n * 3 + 1) % 10] . ' ' . $objects[($n * 7 + 2) % 10] . ', ' . $ends[($n * 5) % 8] . " ($n).";
};
$paragraph = fn() => '<!-- wp:paragraph --><p>' . $sentence() . ' ' . $sentence() . "</p><!-- /wp:paragraph -->\n";
$body = function ($number) use ($paragraph, $sentence) {
    $html = '';
    for ($i = 0; $i <= $number % 4; $i++) $html .= $paragraph();
    if ($number % 5 == 0) $html .= '<!-- wp:heading --><h2>Was tun? ' . $number . '</h2><!-- /wp:heading --><!-- wp:list --><ul><li>' . $sentence() . '</li><li>' . $sentence() . '</li></ul><!-- /wp:list -->';
    if ($number % 6 == 1) $html .= '<!-- wp:paragraph --><p>Siehe <a href="https://beispiel.example/leitfaden?nr=' . $number . '&amp;s=2">den Leitfaden</a> und <a href="' . home_url('/') . '">unsere Seite</a>.</p><!-- /wp:paragraph -->';
    if ($number % 8 == 3) $html .= '<!-- wp:quote --><blockquote class="wp-block-quote"><p>' . $sentence() . '</p><cite>Eine Patientin</cite></blockquote><!-- /wp:quote -->';
    if ($number % 13 == 4) $html .= '<!--nextpage-->' . $paragraph() . '<!--nextpage-->' . $paragraph();
    return $html;
};
$people = [];
foreach (['frau-dr-weiss' => 'Dr. med. Jördis Weiß', 'maria-luz' => 'María Luz Ñandú'] as $login => $name)
    $people[] = wp_insert_user(['user_login' => $login, 'user_pass' => wp_generate_password(), 'display_name' => $name, 'user_email' => "$login@mail.example", 'role' => 'author']);
$categories = [];
foreach (['Vorsorge', 'Ernährung & Genuss', 'Salud mental'] as $name) $categories[] = wp_insert_term($name, 'category')['term_id'];
$first = strtotime('2021-03-27 23:45:00 UTC');
$time = fn($stamp) => gmdate('Y-m-d H:i:s', $stamp);
$made = [];
for ($number = 0; $number < 40; $number++) {
    $title = ['Grippe „light“? Was jetzt zählt', 'Rückenschmerz: 5 Minuten <em>täglich</em>', 'Dormir mejor — ¿cómo?', 'Öffnungszeiten', 'Niños y fiebre: preguntas & respuestas'][$number % 5];
    if ($number > 4 && $number % 5 != 3) $title .= " $number";  // five posts have the title "Öffnungszeiten"
    if ($number == 21) $title = '';
    $stamp = $first + $number * (86400 * 31 + 5399);
    $id = wp_insert_post(wp_slash([
        'post_title' => $title, 'post_content' => $number == 22 ? '' : $body($number), 'post_status' => 'publish',
        'post_author' => $people[$number % 2], 'post_category' => [$categories[$number % 3]],
        'tags_input' => array_slice(['Übung', 'niños', 'Herz & Kreislauf', 'Q&A'], $number % 4, 2),
        'post_excerpt' => $number % 7 == 2 ? $sentence() : '', 'comment_status' => $number == 9 ? 'closed' : 'open',
        'post_password' => $number == 30 ? 'geheim' : '', 'post_date_gmt' => $time($stamp), 'post_date' => get_date_from_gmt($time($stamp)),
    ]), true);
    if (is_wp_error($id)) { fwrite(STDERR, $id->get_error_message() . "\n"); exit(1); }
    $made[] = $id;
}
stick_post($made[17]);
foreach ([['draft', 'Noch nicht fertig'], ['private', 'Nur für uns']] as [$status, $title])
    wp_insert_post(['post_title' => $title, 'post_content' => '<p>Dieser Satz ist nicht für Leser bestimmt.</p>', 'post_status' => $status, 'post_author' => $people[0]]);
wp_insert_post(['post_type' => 'page', 'post_title' => 'Impressum', 'post_content' => '<p>Praxis am Mühlbach, Beispielweg 1.</p>', 'post_status' => 'publish']);
$readers = ['Änne', 'Íñigo', 'Änne', 'gast', '王芳', 'Bo'];
$comment = function ($post, $number, $parent = 0, $more = []) use ($readers, $time, $sentence, $first) {
    $stamp = $first + 86400 * 1500 + $number * 3671;
    $who = $readers[$number % 6];
    return wp_insert_comment(wp_slash($more + [
        'comment_post_ID' => $post, 'comment_parent' => $parent, 'comment_author' => $who, 'comment_author_email' => "leser$number@mail.example",
        'comment_author_url' => $number % 9 == 0 ? "https://leser.example/$number" : '', 'comment_content' => $sentence() . ($number % 4 ? '' : "\n\nGracias, 1 < 2 & 3 😊"),
        'comment_approved' => 1, 'comment_type' => 'comment', 'comment_date_gmt' => $time($stamp), 'comment_date' => get_date_from_gmt($time($stamp)),
    ]));
};
$number = 0;
for ($i = 0, $parent = 0; $i < 7; $i++) $parent = $comment($made[5], $number++, $parent);  // a thread seven deep
for ($i = 0; $i < 55; $i++) $comment($made[8], $number++, 0);
for ($i = 10; $i < 28; $i++) {
    $parent = $comment($made[$i], $number++);
    if ($i % 3 == 0) $comment($made[$i], $number++, $parent, ['user_id' => $people[$i % 2], 'comment_author' => get_userdata($people[$i % 2])->display_name, 'comment_author_email' => '']);
}
$comment($made[11], $number++, 0, ['comment_approved' => 0]);
$held = $comment($made[12], $number++, 0, ['comment_approved' => 0]);
$comment($made[12], $number++, $held);
$comment($made[13], $number++, 0, ['comment_type' => 'pingback', 'comment_author' => 'Ein anderes Blog', 'comment_author_url' => 'https://anderes.example/beitrag', 'comment_author_email' => '']);
$comment($made[13], $number++, 0, ['comment_type' => 'trackback', 'comment_author' => 'Noch ein Blog', 'comment_author_url' => 'https://noch.example/b', 'comment_author_email' => '']);
$comment($made[30], $number++);
foreach ($made as $id) wp_update_comment_count_now($id);
echo count($made), " posts, $number comments\n";
