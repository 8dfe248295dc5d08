import type { Server } from 'node:http'
import { WebSocket, WebSocketServer } from 'ws'
import type { Json } from './limits.ts'
import { type State, userJson } from './state.ts'

/** Intents that Discord gives only to whom it has granted them: members, presences, the content of messages. */
const privileged = (1 << 1) | (1 << 8) | (1 << 15)

export const intents = { guilds: 1 << 0, guildMessages: 1 << 9, directMessages: 1 << 12, content: 1 << 15 }

type Session = {
  id: string
  intents: number
  events: { s: number; t: string; d: unknown }[]
  seq: number
  socket: WebSocket | undefined
}

/** Discord's gateway: hello, identify, heartbeats, dispatches that are kept for a resume, and the ways it ends. */
export function createGateway(state: State, server: Server, heartbeat = 41_250) {
  const sockets = new WebSocketServer({ server })
  const sessions = new Map<string, Session>()
  const counts = { identified: 0, resumed: 0, beats: 0 }
  const port = () => (server.address() as { port: number }).port

  const send = (socket: WebSocket | undefined, payload: Json) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(payload))
  }

  function dispatch(session: Session, t: string, d: unknown): void {
    const event = { s: ++session.seq, t, d }
    session.events.push(event)
    send(session.socket, { op: 0, ...event })
  }

  function identify(socket: WebSocket, d: Json): void {
    if (d['token'] !== state.token) return socket.close(4004, 'Authentication failed.')
    const wanted = d['intents'] as number
    if ((wanted & privileged) !== 0) return socket.close(4014, 'Disallowed intent(s).')
    const session: Session = { id: state.id(), intents: wanted, events: [], seq: 0, socket }
    sessions.set(session.id, session)
    counts.identified++
    const mine = [...state.guilds.values()].filter((guild) => guild.members.has(state.botId))
    dispatch(session, 'READY', {
      v: 10,
      user: userJson(state.users.get(state.botId)!),
      guilds: mine.map((guild) => ({ id: guild.id, unavailable: true })),
      session_id: session.id,
      resume_gateway_url: `ws://127.0.0.1:${port()}`,
      application: { id: state.applicationId, flags: 0 },
    })
    if ((wanted & intents.guilds) === 0) return
    for (const guild of mine)
      dispatch(session, 'GUILD_CREATE', {
        id: guild.id,
        name: guild.name,
        unavailable: false,
        owner_id: [...guild.members][0],
        member_count: guild.members.size,
        large: false,
        channels: guild.channels.map((id) => ({ id, type: 0, name: 'general', permission_overwrites: [] })),
        members: [],
        roles: [],
        emojis: [],
        stickers: [],
        threads: [],
        voice_states: [],
        presences: [],
        stage_instances: [],
        guild_scheduled_events: [],
        soundboard_sounds: [],
        features: [],
        premium_tier: 0,
        verification_level: 0,
        default_message_notifications: 0,
        explicit_content_filter: 0,
        mfa_level: 0,
        nsfw_level: 0,
        system_channel_flags: 0,
        premium_progress_bar_enabled: false,
        preferred_locale: 'en-US',
        afk_timeout: 300,
        joined_at: new Date(0).toISOString(),
      })
  }

  function resume(socket: WebSocket, d: Json): void {
    if (d['token'] !== state.token) return socket.close(4004, 'Authentication failed.')
    const session = sessions.get(String(d['session_id']))
    if (!session) return send(socket, { op: 9, d: false, s: null, t: null })
    session.socket = socket
    for (const event of session.events) if (event.s > (d['seq'] as number)) send(socket, { op: 0, ...event })
    counts.resumed++
    dispatch(session, 'RESUMED', {})
  }

  sockets.on('connection', (socket) => {
    send(socket, { op: 10, d: { heartbeat_interval: heartbeat }, s: null, t: null })
    socket.on('error', () => undefined)
    socket.on('message', (raw: Buffer) => {
      const { op, d } = JSON.parse(raw.toString()) as { op: number; d: Json }
      if (op === 1) {
        counts.beats++
        send(socket, { op: 11, d: null, s: null, t: null })
      } else if (op === 2) identify(socket, d)
      else if (op === 6) resume(socket, d)
    })
  })

  return {
    counts,
    /** Sends an event to every session that may have it. */
    tell(t: string, d: unknown, may: (wanted: number) => unknown = () => d) {
      for (const session of sessions.values()) {
        const given = may(session.intents)
        if (given !== undefined) dispatch(session, t, given)
      }
    },
    connected: () => [...sessions.values()].some((session) => session.socket?.readyState === WebSocket.OPEN),
    /** The network goes, without a word. */
    drop() {
      for (const socket of sockets.clients) socket.terminate()
    },
    /** Discord asks to connect anew and resume (op 7). */
    reconnect() {
      for (const session of sessions.values()) send(session.socket, { op: 7, d: null, s: null, t: null })
    },
    /** The session is over; a new one has to be begun (op 9). */
    invalidate() {
      for (const session of sessions.values()) send(session.socket, { op: 9, d: false, s: null, t: null })
      sessions.clear()
    },
    /** Closes every connection for a reason. */
    close(code: number) {
      for (const socket of sockets.clients) socket.close(code)
    },
    stop() {
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
    },
  }
}
