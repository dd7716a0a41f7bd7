const express = require('express');
const { modelsOf } = require('./tenants/models');

const app = express();
app.get('/t/:tenant/notes', async (req, res) => {
  const { Note } = modelsOf(req.params.tenant);
  const note = new Note({ text: 'hello', by: req.params.tenant });
  const problem = note.validateSync();
  res.status(problem ? 422 : 200).json(note.toObject());
});
const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
