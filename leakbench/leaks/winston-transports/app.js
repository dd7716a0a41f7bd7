const express = require('express');
const { logger } = require('./logging');
const collect = require('./logging/collect');

const app = express();
app.use(collect);

app.get('/checkout/:cart', (req, res) => {
  logger.info('checkout', { cart: req.params.cart });
  res.json({ cart: req.params.cart, log: req.lines.length });
});

const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
