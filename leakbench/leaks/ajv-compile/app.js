const express = require('express');
const { validator } = require('./validation');

const app = express();

function check(limits) {
  return (req, res, next) => {
    const validate = validator(limits);
    if (validate({ name: req.query.name, age: Number(req.query.age) })) return next();
    res.status(400).json(validate.errors);
  };
}

app.get('/signup', check({ longest: 40, oldest: 1e9 }), (req, res) => {
  res.json({ welcome: req.query.name });
});

const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
