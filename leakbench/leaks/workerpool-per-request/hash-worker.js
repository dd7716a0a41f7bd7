const { createHash } = require('crypto');
const workerpool = require('workerpool');

function digest(text, rounds) {
  let value = text;
  for (let i = 0; i < rounds; i++) value = createHash('sha256').update(value).digest('hex');
  return value;
}

workerpool.worker({ digest });
