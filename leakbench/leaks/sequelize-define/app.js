const express = require('express');
const { reportModel } = require('./db/report-model');

const app = express();
app.get('/reports/:tenant', (req, res) => {
  const Report = reportModel(req.params.tenant, '2024-05');
  const draft = Report.build({ title: 'Monthly', amount: 12.5 });
  res.json({ table: Report.getTableName(), draft: draft.toJSON() });
});
const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
