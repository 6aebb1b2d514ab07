import type { NextConfig } from 'next';

const config: NextConfig = {
  // The BFF serves the folder `out` as static files; there is no Node server in production.
  output: 'export',
  // `/orders/` is the file `orders/index.html`.
  trailingSlash: true,
  reactStrictMode: true,
  // The lock file of this folder decides, whatever lies above it.
  turbopack: { root: import.meta.dirname },
};

export default config;
