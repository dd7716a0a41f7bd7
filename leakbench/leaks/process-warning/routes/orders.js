'use strict';
const { Router } = require('express');

const router = Router();
const rates = { EUR: 1, USD: 1.08, GBP: 0.85 };

function price(id, currency) {
  const cents = (Number(id) * 7919) % 100000;
  return Math.round(cents * (rates[currency] || 1)) / 100;
}

router.get('/:id', (req, res) => {
  const { currency = 'EUR' } = req.query;
  res.json({ id: req.params.id, currency, total: price(req.params.id, currency) });
});

module.exports = router;
