const viewers = new WeakMap();
const made = { count: 0, lastRef: null };

exports.viewer = (req) => {
  let viewer = viewers.get(req);
  if (!viewer) {
    viewer = { id: req.url.slice(6), rights: Array.from({ length: 40 }, (_, i) => ({ scope: i, ok: true })) };
    viewers.set(req, viewer);
    made.count++;
    made.lastRef = new WeakRef(viewer);
  }
  return viewer;
};
