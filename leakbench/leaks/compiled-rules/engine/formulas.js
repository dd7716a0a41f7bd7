const tiers = [0, 0.05, 0.1];

exports.formulaFor = (customer) => {
  const years = customer % 10;
  return `base * ${1 - tiers[customer % 3]} - Math.min(${years}, base * 0.01) + 0 * ${customer}`;
};
