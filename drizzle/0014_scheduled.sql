ALTER TABLE "schedules" ADD COLUMN "argv" jsonb;--> statement-breakpoint
ALTER TABLE "schedules" ADD COLUMN "operation_id" text;