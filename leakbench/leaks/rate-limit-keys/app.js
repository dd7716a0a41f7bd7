const express = require('express');
const { apiLimit, loginLimit } = require('./server/limits');

const app = express();
app.use('/login', loginLimit);
app.use('/api', apiLimit); // LEAK
app.get('/api/search', (req, res) => res.json({ q: req.query.q, results: [] }));
app.get('/login', (req, res) => res.send('login'));

const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
