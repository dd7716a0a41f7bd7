exports.zones = ['local', 'national', 'world'];

const base = { local: 2, national: 5, world: 12 };

exports.cost = (weight, zone) => Math.round((base[zone] + weight * 0.4) * 100) / 100;
