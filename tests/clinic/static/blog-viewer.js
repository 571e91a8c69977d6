/* Fills a post page's counters and mounts its comments, as the blog's viewer does after load. */
(function (settings, tag) {
  'use strict';
  var wait = Number(tag.dataset.loadDelay || 350);
  var language = document.documentElement.lang || 'en';
  var words = settings.words[language] || settings.words.en;
  var intl = language === 'ar' ? 'ar-EG' : language;
  var token = '';
  var names = {};

  function hook(name, within) {
    return (within || document).querySelector('[data-hook="' + name + '"]');
  }

  function make(kind, attributes, children) {
    var node = document.createElement(kind);
    Object.keys(attributes || {}).forEach(function (key) { node.setAttribute(key, attributes[key]); });
    (children || []).forEach(function (child) { node.append(child); });
    return node;
  }

  function count(forms, value) {
    var form = forms[new Intl.PluralRules(intl).select(value)] || forms.other;
    return form.replace('#', new Intl.NumberFormat(intl).format(value));
  }

  async function ask(address, body) {
    var headers = token ? { Authorization: token } : {};
    if (body) headers['Content-Type'] = 'application/json';
    var options = body ? { method: 'POST', headers: headers, body: JSON.stringify(body) } : { headers: headers };
    var answer = await fetch(address, options);
    if (!answer.ok) throw new Error(address + ' ' + answer.status);
    return answer.json();
  }

  function fillCounters(post, numbers) {
    var stats = hook('post-stats', post);
    if (!stats || !stats.querySelector('[style*="--width"]')) return;
    var likes = stats.nextElementSibling;
    stats.replaceChildren(
      make('span', {}, [count(words.views, numbers.viewCount)]),
      make('span', {}, [count(words.comments, numbers.totalComments)])
    );
    var shown = numbers.likeCount ? [make('span', { 'class': 'like-button-with-count__like-count', 'aria-hidden': 'true' },
      [String(numbers.likeCount)])] : [];
    var said = numbers.likeCount ? numbers.likeCount + (numbers.likeCount > 1 ? ' likes. ' : ' like. ') : '';
    var button = make('button', { 'class': 'like' }, [
      make('span', { 'aria-live': 'off' }, [said + 'Post not marked as liked']),
      make('span', { 'data-hook': 'like-button-with-count__like-count' }, shown)
    ]);
    if (likes) likes.replaceWith(button); else stats.after(button);
  }

  function textOf(node) {
    if (node.type === 'TEXT') return node.textData.text;
    return (node.nodes || []).map(textOf).join('');
  }

  function printed(moment) {
    var date = new Date(moment);
    var age = (Date.now() - date) / 60000;
    if (age < 60) return Math.max(1, Math.floor(age)) + ' min. ago';
    if (age < 1440) return Math.floor(age / 60) + ' hours ago';
    if (age < 10080) return Math.floor(age / 1440) + ' days ago';
    return settings.words.en.months[date.getMonth()] + ' ' + String(date.getDate()).padStart(2, '0') + ', ' + date.getFullYear();
  }

  async function learnNames(comments) {
    var wanted = comments.map(function (each) { return each.author && each.author.memberId; })
      .filter(function (id) { return id && !names[id]; });
    if (!wanted.length) return;
    var answer = await ask(settings.addresses.members, { query: { filter: { id: { $in: Array.from(new Set(wanted)) } } } });
    answer.members.forEach(function (member) { names[member.id] = member.profile; });
  }

  function authorNode(comment) {
    var profile = comment.author && names[comment.author.memberId];
    var label = make('span', { 'data-hook': 'comments-author' }, [profile ? profile.nickname : 'Guest']);
    return profile ? make('a', { href: '/profile/' + profile.slug + '/profile' }, [label]) : label;
  }

  function commentNode(comment, level) {
    var node = make('div', { id: 'C-' + comment.id, 'data-hook': 'list-item ' + level, tabindex: '-1' });
    if (comment.status === 'DELETED') {
      node.append(make('div', { 'data-hook': 'deleted-comment' }, ['This comment was deleted.']));
    } else {
      node.append(make('div', {}, [authorNode(comment), make('span', { 'data-hook': 'time-ago' }, [printed(comment.commentDate)])]));
      if (comment.contentEdited) node.append(make('span', { 'data-hook': 'edited-comment-indicator' }, ['Edited']));
      if (level === 'reply' && comment.parentComment) {
        var answered = comment.parentComment.author && names[comment.parentComment.author.memberId];
        node.append(make('button', { 'data-hook': 'replying-to-btn' }, ['Replying to ' + (answered ? answered.nickname : 'Guest')]));
      }
      var lines = comment.content.richContent.nodes.map(function (each, index) {
        return make('p', { dir: 'auto', id: 'viewer-' + comment.id.slice(0, 5) + index }, [make('span', {}, [textOf(each)])]);
      });
      node.append(make('div', { 'data-hook': 'comment-content' }, [make('div', { 'data-id': 'content-viewer' }, lines)]));
      node.append(make('button', { 'data-hook': 'like-btn' }, [make('span', { 'data-hook': 'like-text' },
        [comment.reactionSummary.total ? String(comment.reactionSummary.total) : 'Like'])]));
    }
    node.append(make('button', { 'data-hook': 'reply-btn' }, ['Reply']));
    return node;
  }

  function commentsAddress(resource, limit, cursor) {
    var query = new URLSearchParams({ appId: settings.app, contextId: resource, resourceId: resource,
      'commentSort.order': 'NEWEST_FIRST', 'cursorPaging.limit': String(limit), 'cursorPaging.repliesLimit': '0' });
    if (cursor) query.set('cursorPaging.cursor', cursor);
    return settings.addresses.comments + '?' + query;
  }

  function showReplies(resource, comment, seam, box) {
    var list = make('div', { id: 'reply-list-' + comment.id, 'data-hook': 'reply-list' });
    var button = make('button', { 'data-hook': 'show-replies-btn', type: 'button' }, ['Show replies (' + comment.replyCount + ')']);
    button.addEventListener('click', async function () {
      button.disabled = true;
      var answer = await ask(commentsAddress(resource, 8, seam));
      await learnNames(answer.comments);
      answer.comments.forEach(function (each) { list.append(commentNode(each, 'reply')); });
      if (answer.pagingMetadata.hasNext) {
        seam = answer.pagingMetadata.cursors.next;
        button.textContent = 'Show more replies';
        button.disabled = false;
      } else {
        button.remove();
      }
    });
    box.append(list, button);
  }

  async function mountComments(slot, resource, total) {
    var list = make('div', { id: 'comment-list-inner-' + resource });
    var root = make('div', { 'class': 'wc-comments-root', 'data-hook': 'wc-root ' + resource, 'data-render': 'CSR', dir: 'ltr' }, [
      make('span', { 'data-hook': 'wc-header-title' }, [total === null ? 'Comments' : 'Comments (' + total + ')']),
      make('div', { 'data-hook': 'comment-box comment-box-top' }, [make('button', { 'data-hook': 'comment-box-placeholder' }, ['Write a comment...'])]),
      make('div', { 'data-hook': 'top-level-comment-list' }, [list])
    ]);
    var more = make('button', { 'data-hook': 'show-more-comments', type: 'button' }, ['Show more comments']);
    var cursor = '';
    async function next(limit) {
      more.disabled = true;
      var answer = await ask(commentsAddress(resource, limit, cursor));
      await learnNames(answer.comments);
      answer.comments.forEach(function (comment) {
        var box = commentNode(comment, 'top-level');
        var replies = answer.commentReplies[comment.id];
        if (replies) showReplies(resource, comment, replies.pagingMetadata.cursors.next, box);
        list.append(box);
      });
      more.disabled = false;
      if (answer.pagingMetadata.hasNext) {
        cursor = answer.pagingMetadata.cursors.next;
        root.append(more);
      } else {
        more.remove();
      }
    }
    more.addEventListener('click', function () { next(8); });
    slot.append(root);
    await next(20);
    root.setAttribute('data-render', 'READY');
  }

  async function start() {
    var slug = location.pathname.replace(/^\/post\//, '');
    var post = document.querySelector('article[data-hook="post"]');
    var slot = document.querySelector('[id^="comments-slot-"]');
    if (settings.addresses.tokens) {
      var tokens = await ask(settings.addresses.tokens);
      token = tokens.apps[settings.app].instance;
    }
    var total = null;
    if (post.querySelector('[data-hook="post-main-actions__stats"] [style*="--width"]')) {
      var metadata = await ask(settings.addresses.metadata + slug);
      total = metadata.postPageMetadata.postMetadata.totalComments;
      fillCounters(post, metadata.postPageMetadata.postMetadata);
    }
    var page = await ask(settings.addresses.post + slug);
    await mountComments(slot, page.postPage.post.internalId, total);
  }

  if (tag.dataset.loadStrategy === 'consent') {
    window.addEventListener('consentPolicyChanged', start, { once: true });
  } else {
    setTimeout(start, wait);
  }
})(blogViewerSettings, document.currentScript);
