const Ajv = require('ajv').default;

const ajv = new Ajv();
const validate = ajv.compile({ type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] });

exports.use = (n) => validate({ n });
