const { DataTypes } = require('sequelize');
const { sequelize } = require('.');

const columns = () => ({
  title: { type: DataTypes.STRING, allowNull: false },
  amount: { type: DataTypes.DECIMAL(10, 2), defaultValue: 0 },
  paid: { type: DataTypes.BOOLEAN, defaultValue: false },
});

exports.reportModel = (tenant, month) => {
  const name = `Report_${tenant}_${month}`;
  return sequelize.define(name, columns(), { // LEAK
    tableName: `reports_${tenant}_${month.replace('-', '_')}`,
    timestamps: false,
  });
};
