const Handlebars = require('handlebars');

const template = Handlebars.compile('{{#if n}}number {{n}}{{/if}}');

exports.use = (n) => template({ n });
