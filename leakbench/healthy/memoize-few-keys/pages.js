const _ = require('lodash');
const ejs = require('ejs');

const template = ejs.compile('<ul><% for (const p of parts) { %><li><%= p %></li><% } %></ul>');

const partsOf = _.memoize((n) => _.times(12, (i) => `part ${n}.${i}`));

exports.page = (n) => template({ parts: partsOf(n) });
