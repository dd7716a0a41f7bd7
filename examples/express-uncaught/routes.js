'use strict';

const express = require('express');

// A small order book: written at start-up and only read afterwards.
const ORDERS = new Map(
  Array.from({ length: 50 }, (_, i) => [
    String(i + 1),
    { id: i + 1, customer: `customer-${(i * 7) % 13}`, totalCents: 1999 + i * 150, status: i % 3 === 0 ? 'open' : 'paid' },
  ]),
);

const QUOTE_LIMIT = 100;

// Price quotes, newest last. The oldest goes when the limit is reached, so this cache stays small.
const quotes = new Map();

function quoteFor(id) {
  const known = quotes.get(id);
  if (known) return known;
  if (quotes.size >= QUOTE_LIMIT) quotes.delete(quotes.keys().next().value);
  const quote = { id, shippingCents: 490 + (id.length % 5) * 100, quotedAt: Date.now() };
  quotes.set(id, quote);
  return quote;
}

const router = express.Router();

router.get('/orders', (req, res) => {
  res.json({ orders: [...ORDERS.values()].filter((o) => !req.query.status || o.status === req.query.status) });
});

router.get('/orders/:id', (req, res) => {
  const order = ORDERS.get(req.params.id);
  if (!order) {
    res.status(404).json({ error: 'no such order' });
    return;
  }
  res.json({ ...order, quote: quoteFor(req.params.id) });
});

router.get('/quote/:id', (req, res) => {
  res.json(quoteFor(req.params.id));
});

module.exports = router;
