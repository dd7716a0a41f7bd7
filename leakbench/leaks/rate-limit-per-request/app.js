const express = require('express');
const api = require('./api');

const app = express();
app.set('trust proxy', false);
app.use('/v1', api);
const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  const { port } = server.address();
  console.log(`listening on http://localhost:${port}`);
});
