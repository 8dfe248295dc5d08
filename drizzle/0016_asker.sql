ALTER TABLE "operations" ADD COLUMN "address" text;--> statement-breakpoint
ALTER TABLE "operations" ADD COLUMN "fingerprint" text;