const express = require('express');
const { startBackend } = require('./backend');
const { isUp } = require('./probe');

async function main() {
  const backend = await startBackend();
  const app = express();
  app.get('/status/:id', async (req, res, next) => {
    try {
      res.json({ id: req.params.id, up: await isUp(`${backend}/node/${req.params.id}`) });
    } catch (err) {
      next(err);
    }
  });
  const server = app.listen(process.env.PORT, '127.0.0.1', () => {
    console.log('listening on http://127.0.0.1:' + server.address().port);
  });
}

main();
