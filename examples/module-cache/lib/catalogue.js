'use strict';

const PRICE_LIMIT = 64;

const ITEMS = new Map();
for (let i = 1; i <= 200; i++) {
  ITEMS.set(i, { id: i, title: `Item number ${i}`, tags: ['a', 'b', 'c'].slice(i % 3), basePriceCents: 500 + i * 35 });
}

// Prices by currency and item, bounded: the oldest entry makes room for the newest.
const prices = new Map();

function priceOf(item, currency) {
  const key = `${currency}/${item.id}`;
  let price = prices.get(key);
  if (price === undefined) {
    if (prices.size >= PRICE_LIMIT) prices.delete(prices.keys().next().value);
    price = currency === 'EUR' ? item.basePriceCents : Math.round(item.basePriceCents * 1.08);
    prices.set(key, price);
  }
  return price;
}

module.exports = {
  findItem: (id) => ITEMS.get(id),
  listItems: () => [...ITEMS.values()],
  priceOf,
};
