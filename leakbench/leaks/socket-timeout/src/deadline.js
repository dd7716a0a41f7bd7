// Answers 503 when a handler takes too long.
exports.withDeadline = (ms, handler) => {
  return (req, res) => {
    const context = { url: req.url, at: Date.now(), headers: { ...req.headers } };

    function expire() {
      if (res.headersSent) return;
      res.writeHead(503, { 'content-length': 0, 'x-late-by': Date.now() - context.at - ms });
      res.end();
    }

    req.socket.setTimeout(ms);
    req.socket.on('timeout', expire); // LEAK
    req.once('aborted', () => {
      context.aborted = true;
    });

    handler(req, res).catch((err) => {
      console.error(context.url, err);
      if (!res.headersSent) res.writeHead(500, { 'content-length': 0 });
      res.end();
    });
  };
};
