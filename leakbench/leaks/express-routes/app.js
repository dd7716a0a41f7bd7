const express = require('express');
const { shareOnce } = require('./downloads');

const app = express();
app.get('/share/:file', (req, res) => {
  res.json({ link: shareOnce(app, req.params.file) });
});

const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
