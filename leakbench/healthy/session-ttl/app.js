const express = require('express');
const session = require('express-session');
const MemoryStore = require('memorystore')(session);

const TTL = 2000;
const app = express();
app.use(
  session({
    secret: 'shh',
    resave: false,
    saveUninitialized: true,
    cookie: { maxAge: TTL },
    store: new MemoryStore({ checkPeriod: 250, ttl: TTL, max: 2000 }),
  }),
);
app.get('/shop/:item', (req, res) => {
  req.session.last = req.params.item;
  res.json({ item: req.params.item });
});
const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
