const express = require('express');
const sessions = require('./web/sessions');

const app = express();
app.use(sessions()); // LEAK

app.get('/shop/:item', (req, res) => {
  req.session.visits = (req.session.visits || 0) + 1;
  req.session.last = req.params.item;
  res.json({ item: req.params.item, visits: req.session.visits });
});

const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
