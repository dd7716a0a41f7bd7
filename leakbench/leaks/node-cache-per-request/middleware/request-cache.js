const NodeCache = require('node-cache');

// Looks a thing up once per request, however many places ask for it.
module.exports = function requestCache(req, res, next) {
  const cache = new NodeCache({ stdTTL: 30, useClones: false }); // LEAK
  req.cached = (key, load) => {
    let value = cache.get(key);
    if (value === undefined) {
      value = load();
      cache.set(key, value);
    }
    return value;
  };
  next();
};
