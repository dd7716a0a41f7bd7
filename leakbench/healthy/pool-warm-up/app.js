const http = require('http');
const { query } = require('./db');

const server = http.createServer((req, res) => {
  query(`select * from t${Number(req.url.split('/')[2]) % 60}`).then(
    (rows) => res.end(JSON.stringify(rows)),
    (err) => res.writeHead(500).end(err.message),
  );
});
server.listen(process.env.PORT, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
