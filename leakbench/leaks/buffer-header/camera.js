const SIZE = 48 * 1024;

// Stands for the camera: frames of a fixed size with a header of sixteen bytes.
exports.frames = {
  take(n) {
    const frame = Buffer.allocUnsafeSlow(SIZE);
    frame.fill(n & 0xff);
    frame.writeUInt32BE(0xcafe, 0);
    frame.writeUInt32BE(n, 4);
    return frame;
  },
};
