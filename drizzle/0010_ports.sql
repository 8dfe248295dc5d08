ALTER TABLE "ports" ADD COLUMN "reach" text;--> statement-breakpoint
ALTER TABLE "ports" ADD COLUMN "expires_at" timestamp with time zone;--> statement-breakpoint
CREATE UNIQUE INDEX "ports_added" ON "ports" USING btree ("container_id","container_port","proto") WHERE "ports"."reach" is not null;