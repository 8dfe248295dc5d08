import { acknowledgement, chatConformance, patience } from '../../contracts/chat.ts'
import { createDiscordRig } from './setup.ts'

chatConformance('Discord over HTTP', async () => (await createDiscordRig('http')).rig)
acknowledgement('Discord over HTTP', async () => (await createDiscordRig('http', { patience })).rig)
