const mongoose = require('mongoose');

const noteSchema = new mongoose.Schema(
  { text: { type: String, required: true }, by: String },
  { autoIndex: false, autoCreate: false },
);

exports.modelsOf = (tenant) => {
  const connection = mongoose.createConnection(); // LEAK
  connection.set('bufferCommands', false);
  return { tenant, Note: connection.model('Note', noteSchema) };
};
