const Ajv = require('ajv').default;

const ajv = new Ajv({ allErrors: true });
ajv.addFormat('lower', /^[a-z]*$/);

const base = {
  type: 'object',
  required: ['name', 'age'],
  additionalProperties: false,
};

exports.validator = function validator({ longest, oldest }) {
  const schema = {
    ...base,
    properties: {
      name: { type: 'string', minLength: 1, maxLength: longest },
      age: { type: 'integer', minimum: 0, maximum: oldest },
    },
  };
  return ajv.compile(schema); // LEAK
};
