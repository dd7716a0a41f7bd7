const _ = require('lodash');

const products = _.times(300, (i) => ({ sku: 'P' + i, price: (i * 37) % 100000, stock: i % 7 }));

function filterProducts({ min, max }) {
  return _.chain(products)
    .filter((p) => p.price >= min && p.price <= max)
    .sortBy('price')
    .map((p) => ({ ...p, available: p.stock > 0 }))
    .take(20)
    .value();
}

// A handful of languages: fine.
exports.label = _.memoize((lang = 'en') => ({ en: 'Products', de: 'Produkte' })[lang] || 'Products');

exports.search = _.memoize(filterProducts, (filter) => JSON.stringify(filter)); // LEAK
