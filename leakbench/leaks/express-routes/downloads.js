const { randomBytes } = require('crypto');

const used = new WeakSet();

exports.shareOnce = (app, file) => {
  const link = `/d/${randomBytes(6).toString('hex')}`;
  const ticket = { file, link, until: Date.now() + 60_000 };
  app.get(link, (req, res) => { // LEAK
    if (used.has(ticket) || Date.now() > ticket.until) return res.sendStatus(410);
    used.add(ticket);
    res.type('text').send(`contents of ${ticket.file}`);
  });
  return link;
};
