import { acknowledgement, chatConformance, patience } from '../../contracts/chat.ts'
import { createSlackRig } from './setup.ts'

chatConformance('Slack over Socket Mode', async () => (await createSlackRig('socket')).rig)
acknowledgement('Slack over Socket Mode', async () => (await createSlackRig('socket', { patience })).rig)
