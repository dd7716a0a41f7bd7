const teams = ['red', 'green', 'blue'].map((name, id) => ({ id, name }));

exports.find = (id) => ({ id, name: `user ${id}`, team: Number(id) % teams.length, rights: ['read', 'write'] });
exports.team = (id) => teams[id];
