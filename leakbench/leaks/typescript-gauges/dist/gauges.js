"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.Gauges = void 0;
class Gauge {
    constructor(window) {
        this.window = window;
        this.readings = [];
    }
    add(reading) {
        this.readings.push(reading);
        if (this.readings.length > this.window)
            this.readings.shift();
        const sum = this.readings.reduce((total, { celsius }) => total + celsius, 0);
        return sum / this.readings.length;
    }
}
/** The mean temperature of each device, over its last readings. */
class Gauges {
    constructor(options) {
        this.options = options;
        this.byDevice = new Map();
    }
    record(device, reading) {
        let gauge = this.byDevice.get(device);
        if (gauge === undefined) {
            gauge = new Gauge(this.options.window);
            this.byDevice.set(device, gauge); // LEAK
        }
        return gauge.add(reading);
    }
}
exports.Gauges = Gauges;
//# sourceMappingURL=gauges.js.map