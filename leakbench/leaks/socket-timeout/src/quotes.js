const cache = new Map();
const MOST = 100;

async function quote(symbol) {
  const hit = cache.get(symbol);
  if (hit) return hit;
  const value = { symbol, bid: Math.random() * 100, ask: Math.random() * 100 };
  if (cache.size >= MOST) cache.delete(cache.keys().next().value);
  cache.set(symbol, value);
  return value;
}

module.exports = { quote };
