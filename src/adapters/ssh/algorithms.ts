import type { Algorithms } from 'ssh2'

/**
 * What the door offers, best first; nothing older. GCM and CTR alone: OpenSSH's client prefers ChaCha20, which is less
 * than half as fast here. No NIST curves nor SHA-1; group 16 for who has no curve25519 (RFC 8268).
 */
export const algorithms = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
  ],
  serverHostKey: ['ssh-ed25519'],
  cipher: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'aes128-ctr', 'aes192-ctr', 'aes256-ctr'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com'],
  compress: ['none'],
} as const satisfies { [K in keyof Algorithms]: readonly string[] }
