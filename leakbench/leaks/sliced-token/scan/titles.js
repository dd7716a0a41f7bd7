const byId = new Map();

function titleIn(html) {
  const start = html.indexOf('<title>') + 7;
  return html.slice(start, html.indexOf('</title>'));
}

exports.learn = (id, html) => {
  byId.set(id, titleIn(html)); // LEAK
};

exports.of = (id) => byId.get(id);
