const visits = require('./visits');

const pages = Object.create(null);

exports.middleware = () => async (ctx, next) => {
  pages[ctx.path] = (pages[ctx.path] || 0) + 1;
  visits.record(ctx.query.v, ctx.path, ctx.get('user-agent'));
  await next();
};

exports.pageCount = (page) => pages['/p/' + page] || 0;
