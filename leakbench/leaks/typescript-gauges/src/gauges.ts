export interface Reading {
  readonly celsius: number;
  readonly at: number;
}

interface Options {
  /** Readings that the mean is over. */
  window: number;
}

class Gauge {
  readonly readings: Reading[] = [];

  constructor(private readonly window: number) {}

  add(reading: Reading): number {
    this.readings.push(reading);
    if (this.readings.length > this.window) this.readings.shift();
    const sum = this.readings.reduce((total, { celsius }) => total + celsius, 0);
    return sum / this.readings.length;
  }
}

/** The mean temperature of each device, over its last readings. */
export class Gauges {
  private readonly byDevice = new Map<string, Gauge>();

  constructor(private readonly options: Options) {}

  record(device: string, reading: Reading): number {
    let gauge = this.byDevice.get(device);
    if (gauge === undefined) {
      gauge = new Gauge(this.options.window);
      this.byDevice.set(device, gauge); // LEAK
    }
    return gauge.add(reading);
  }
}
