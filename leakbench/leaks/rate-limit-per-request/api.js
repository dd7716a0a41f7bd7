const { Router } = require('express');
const { rateLimit } = require('express-rate-limit');

const api = Router();
const PLANS = { free: 100, pro: 10_000 };

function planOf(req) {
  return req.get('x-plan') || 'pro';
}

api.use((req, res, next) => {
  const limit = PLANS[planOf(req)];
  const limiter = rateLimit({ // LEAK
    windowMs: 60_000,
    limit,
    standardHeaders: false,
    legacyHeaders: false,
    validate: false,
  });
  limiter(req, res, next);
});

api.get('/report/:id', (req, res) => {
  res.json({ id: req.params.id, rows: [1, 2, 3].map((n) => n * req.params.id) });
});

module.exports = api;
