const filler = Buffer.alloc(24 * 1024, 'lorem ipsum ');

exports.fetchDocument = async (id) => {
  const head = `<html><head><title>The collected letters of author number ${id}</title></head><body>`;
  // As it comes from a socket: one string out of bytes.
  return Buffer.concat([Buffer.from(head), filler, Buffer.from('</body></html>')]).toString('latin1');
};
