import { acknowledgement, chatConformance, patience } from '../../contracts/chat.ts'
import { createDiscordRig } from './setup.ts'

chatConformance('Discord over the gateway', async () => (await createDiscordRig('gateway')).rig)
acknowledgement('Discord over the gateway', async () => (await createDiscordRig('gateway', { patience })).rig)
