const { rateLimit } = require('express-rate-limit');

const DAY = 24 * 60 * 60 * 1000;

exports.loginLimit = rateLimit({ windowMs: 60_000, limit: 10, keyGenerator: (req) => req.ip });

exports.apiLimit = rateLimit({ // LEAK
  windowMs: DAY,
  limit: 5000,
  keyGenerator: (req) => `${req.ip} ${req.originalUrl}`,
  standardHeaders: true,
  legacyHeaders: false,
});
