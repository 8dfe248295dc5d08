import { acknowledgement, chatConformance } from '../../contracts/chat.ts'
import { createDiscordRig } from './setup.ts'

chatConformance('Discord over the gateway', async () => (await createDiscordRig('gateway')).rig)
acknowledgement('Discord over the gateway', async () => (await createDiscordRig('gateway')).rig)
