const http = require('http');
const geo = require('./geo');

http
  .createServer((req, res) => {
    const { searchParams } = new URL(req.url, 'http://localhost');
    const places = geo.nearest(Number(searchParams.get('lat')), Number(searchParams.get('lon')));
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify({ places, stats: geo.stats() }));
  })
  .listen(process.env.PORT, '127.0.0.1', function () {
    console.log('listening on http://127.0.0.1:' + this.address().port);
  });
