/** What is given to a new container, whatever it is made for. */
export const newFlags = {
  volume: {
    kind: 'mount',
    about: 'A volume of yours, and where it is inside.',
    flag: true,
    short: 'v',
    many: true,
    optional: true,
  },
  env: {
    kind: 'env',
    about: 'An environment variable.',
    flag: true,
    short: 'e',
    many: true,
    optional: true,
    secret: true,
  },
  memory: { kind: 'size', about: 'Memory it may use; 512m when absent.', flag: true, short: 'm', optional: true },
  cpus: { kind: 'cpus', about: 'CPUs it may use; 1 when absent.', flag: true, optional: true },
  'pids-limit': { kind: 'count', about: 'Processes it may have; 256 when absent.', flag: true, optional: true },
} as const
