import type { Duplex } from 'node:stream'
import type { Proto } from '../model/container.ts'

/** What was found on a container's SSH port. */
export type Greeting = { ok: true } | { ok: false; why: string }

/** The host's network: firewall, ports and addresses. */
export type Net = {
  /**
   * Puts DCM's firewall rules in place where it may. `atOnce`: what closes, without finding out all that is let through.
   * @returns what is missing, in sentences; empty when all hold
   */
  ensureFirewall(atOnce?: boolean): Promise<string[]>
  /** What is missing of the firewall now, changing nothing. */
  checkFirewall(): Promise<string[]>
  /** Whether nothing listens on this port of the bind address. */
  portFree(port: number, proto: Proto): Promise<boolean>
  /** Connects to a published TCP port of a container; `here`: one that binds to this machine alone. @throws HostError `down` when nothing accepts within 10 s */
  dial(port: number, here?: true): Promise<Duplex>
  /** Subnets (CIDR) that this machine has routes or addresses in. */
  routes(): Promise<string[]>
  /** The range that the kernel takes outgoing ports from. */
  ephemeralPorts(): Promise<{ low: number; high: number }>
  /**
   * Waits until sshd on `port` completes a key exchange with the host key of this SHA256 fingerprint and offers
   * public-key login (RFC 4252 section 5.2: the list in the answer to "none"), for `deadline` milliseconds at most.
   */
  greet(port: number, fingerprint: string, deadline: number, signal?: AbortSignal): Promise<Greeting>
}
