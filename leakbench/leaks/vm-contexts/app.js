const express = require('express');
const { evaluate } = require('./sandbox');

const app = express();
app.get('/eval/:id', (req, res) => {
  res.json({ result: evaluate(req.params.id, 'price * (1 - discount)', { price: 100, discount: 0.15 }) });
});
const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
